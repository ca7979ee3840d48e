# Leaving the port out is how a free one is asked for.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  port              = 0 # error: 0
}
