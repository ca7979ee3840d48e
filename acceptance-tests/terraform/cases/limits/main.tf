# One worker with a limit of its own, to be changed behind Terraform's back.
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  served_model_name = "tiny"
}

resource "dynamo_worker" "chat" {
  deployment = dynamo_deployment.chat

  resources {
    cpus      = 1
    memory_gb = 1
  }
}
