# Ports end at 65535.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  port              = 70000 # error: 70000 & 65535
}
