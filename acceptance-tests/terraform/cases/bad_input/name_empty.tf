# An empty name is not a wish for a generated one.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = "" # error: name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
}
