# An administrator without a password.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
}

resource "dynamo_openwebui" "chat" {
  deployment  = dynamo_deployment.chat
  admin_email = "ada@example.org" # error: admin_password
}
