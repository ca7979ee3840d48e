# Each worker gets its own GPUs, and each is named.
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
  gpus       = ["all"] # error: "all" & nvidia-smi -L
}
