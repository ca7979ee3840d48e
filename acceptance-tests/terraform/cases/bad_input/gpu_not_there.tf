# A GPU that the host does not have.
# stage: plan
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
}

resource "dynamo_worker" "chat" {
  deployment = dynamo_deployment.chat
  gpus       = ["GPU-00000000-0000-0000-0000-000000000000"] # error: GPU-00000000-0000-0000-0000-000000000000
}
