# The id is host/name.
terraform import dynamo_openwebui.chat local/chat
