# A release of Open WebUI that is too old.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
}

resource "dynamo_openwebui" "chat" {
  deployment = dynamo_deployment.chat
  version    = "0.5.20" # error: 0.5.20 & 0.7.0
}
