# The id is host/container.
terraform import 'dynamo_worker.chat[0]' local/chat-decode-k7m2qd
