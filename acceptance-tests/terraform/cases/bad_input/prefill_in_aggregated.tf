# An aggregated deployment has no prefill workers.
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
  role       = "prefill" # error: prefill & aggregated
}
