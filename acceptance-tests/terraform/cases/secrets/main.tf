# A frontend, a worker and a page with secret variables; what cases change is a variable.
variable "workers" { default = 1 }
variable "pages" { default = 0 }
variable "secrets" {
  type      = map(string)
  default   = {}
  ephemeral = true
}
variable "worker_secrets" {
  type      = map(string)
  default   = {}
  ephemeral = true
}
variable "env" {
  type    = map(string)
  default = {}
}
variable "secrets_version" {
  type    = string
  default = null
}

resource "dynamo_deployment" "chat" {
  name               = var.name
  engine             = "mocker"
  image              = var.image
  image_pull_policy  = "never"
  model              = var.model
  served_model_name  = "tiny"
  env                = var.env
  secret_env         = var.secrets
  secret_env_version = var.secrets_version
}

resource "dynamo_worker" "chat" {
  count              = var.workers
  deployment         = dynamo_deployment.chat
  secret_env         = var.worker_secrets
  secret_env_version = var.secrets_version
}

resource "dynamo_openwebui" "chat" {
  count              = var.pages
  deployment         = dynamo_deployment.chat
  image              = "openwebui-standin:1"
  image_pull_policy  = "never"
  secret_env         = var.secrets
  secret_env_version = var.secrets_version

  delete_data_on_destroy = true

  resources {
    cpus      = 0.5
    memory_gb = 0.5
  }
}
