# GPUs are named or counted.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
}

resource "dynamo_worker" "chat" {
  deployment = dynamo_deployment.chat
  gpus       = ["0"]
  gpu_count  = 1 # error: gpu_count & names its gpus as well
}
