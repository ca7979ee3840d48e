# A pull policy that does not exist.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "sometimes" # error: sometimes & missing & always & never
  model             = var.model
}
