# A page that names its deployments in both ways.
# stage: plan
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
}

resource "dynamo_openwebui" "chat" {
  deployment  = dynamo_deployment.chat # error: deployments & beside
  deployments = [dynamo_deployment.chat]
}
