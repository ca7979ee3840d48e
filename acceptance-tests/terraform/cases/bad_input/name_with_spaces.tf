# A name that Docker would refuse for a container.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = "Chat Room!" # error: Chat Room!
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
}
