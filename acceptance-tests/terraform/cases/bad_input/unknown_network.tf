# Docker has more networks than Dynamo can use.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  network           = "overlay" # error: overlay & bridge & host
}
