# A worker's role that does not exist.
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
  role       = "decoder" # error: decoder & decode & prefill
}
