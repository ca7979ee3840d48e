# A host that the provider block does not name.
# stage: plan
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  host              = "gpu-z" # error: gpu-z & local
}
