# A connector that exists, but not for this engine.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model

  connector {
    type         = "kvbm" # error: kvbm & mocker
    cpu_cache_gb = 1
  }
}
