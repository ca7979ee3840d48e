# A token that containers must have and nothing else may hold.
variable "token" {
  type      = string
  sensitive = true
  ephemeral = true
}

resource "dynamo_deployment" "chat" {
  name               = var.name
  engine             = "mocker"
  image              = var.image
  image_pull_policy  = "never"
  model              = var.model
  served_model_name  = "tiny"
  secret_env         = { ACCEPTANCE_TOKEN = var.token }
  secret_env_version = 1
}
