import {
  to = dynamo_openwebui.chat
  id = "local/chat" # host/name
}
