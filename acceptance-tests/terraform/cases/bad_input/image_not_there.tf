# An image that is not on the host, and must not be pulled.
# stage: plan
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = "dynamo-lab.invalid/nothing:1" # error: dynamo-lab.invalid/nothing:1 & never
  image_pull_policy = "never"
  model             = var.model
}
