# A connector that does not exist.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model

  connector {
    type = "warp" # error: warp & nixl
  }
}
