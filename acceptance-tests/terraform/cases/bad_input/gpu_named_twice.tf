# A GPU cannot be given twice, not even to one worker.
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
  gpus       = ["1", "0", "1"] # error: GPU 1 is named twice
}
