import {
  to = dynamo_worker.chat[0]
  id = "local/chat-decode-k7m2qd" # host/container
}
