# A page in front of a deployment; what cases change is a variable.
variable "webui_image" { default = "openwebui-standin:1" }
variable "workers" { default = 0 }
variable "network" { default = "bridge" }
variable "deployment_state" { default = "running" }
variable "page_state" { default = "running" }
variable "deployment_name" { default = null }
variable "greeting" { default = "hello" }
variable "delete_data" { default = false }
variable "memory_gb" { default = 0.5 }
variable "port" {
  type    = number
  default = null
}
variable "admin_email" {
  type    = string
  default = null
}
variable "admin_password" {
  type      = string
  default   = null
  ephemeral = true
}
variable "password_version" {
  type    = number
  default = null
}

resource "dynamo_deployment" "chat" {
  name              = coalesce(var.deployment_name, var.name)
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  served_model_name = "tiny"
  network           = var.network
  desired_state     = var.deployment_state
}

resource "dynamo_worker" "chat" {
  count      = var.workers
  deployment = dynamo_deployment.chat
}

resource "dynamo_openwebui" "chat" {
  deployment             = dynamo_deployment.chat
  name                   = var.name
  image                  = var.webui_image
  image_pull_policy      = "never"
  port                   = var.port
  desired_state          = var.page_state
  env                    = { GREETING = var.greeting }
  admin_email            = var.admin_email
  admin_password         = var.admin_password
  admin_password_version = var.password_version
  delete_data_on_destroy = var.delete_data

  resources {
    cpus      = 0.5
    memory_gb = var.memory_gb
  }
}
