# Terraform itself refuses text where a map belongs.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  env               = "DYN_LOG=info" # error: map of string required
}
