# The id is host/name.
terraform import dynamo_deployment.chat local/chat
