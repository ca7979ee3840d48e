# A page without a deployment.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
}

resource "dynamo_openwebui" "chat" { # error: deployment & deployments & several
  name = var.name
}
