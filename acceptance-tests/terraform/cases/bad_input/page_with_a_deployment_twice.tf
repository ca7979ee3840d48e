# A page that is given the same deployment twice.
# stage: plan
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
}

resource "dynamo_openwebui" "chat" {
  image_pull_policy = "never"
  deployments = [
    dynamo_deployment.chat,
    dynamo_deployment.chat, # error: there already & once
  ]
}
