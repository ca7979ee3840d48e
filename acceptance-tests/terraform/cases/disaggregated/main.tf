# Prefill and decode in workers of their own.
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  served_model_name = "tiny"
  mode              = "disaggregated"

  router {
    mode = "kv"
  }
}

resource "dynamo_worker" "prefill" {
  deployment = dynamo_deployment.chat
  role       = "prefill"
}

resource "dynamo_worker" "decode" {
  deployment = dynamo_deployment.chat
  role       = "decode"
}
