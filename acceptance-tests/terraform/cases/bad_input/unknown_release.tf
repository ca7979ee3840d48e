# A release that nobody knows; the newest one that is known is named.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  dynamo_version    = "9.9.9" # error: 9.9.9 & 1.6.1
}
