# The frontend binds to an address of the host.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  bind_address      = "everywhere" # error: everywhere
}
