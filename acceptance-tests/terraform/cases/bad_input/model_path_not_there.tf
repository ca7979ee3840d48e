# A model folder that the host does not have.
# stage: plan
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = "/nowhere/at/all" # error: /nowhere/at/all
}
