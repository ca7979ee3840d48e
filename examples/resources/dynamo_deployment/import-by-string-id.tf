import {
  to = dynamo_deployment.chat
  id = "local/chat" # host/name
}
