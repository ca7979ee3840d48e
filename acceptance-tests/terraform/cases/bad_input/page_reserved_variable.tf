# A variable that the provider decides.
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
  env        = { WEBUI_SECRET_KEY = "x" } # error: WEBUI_SECRET_KEY & volume
}
