# A frontend and its workers; what cases change is a variable.
variable "workers" { default = 2 }
variable "router" { default = "kv" }
variable "desired_state" { default = "running" }
variable "engine_args" {
  type    = map(string)
  default = {}
}

resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  served_model_name = "tiny"
  desired_state     = var.desired_state
  engine_args       = var.engine_args

  router {
    mode = var.router
  }
}

resource "dynamo_worker" "chat" {
  count      = var.workers
  deployment = dynamo_deployment.chat
}
