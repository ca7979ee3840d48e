# Terraform itself refuses a value of the wrong type.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  port              = "eighty" # error: a number is required
}
