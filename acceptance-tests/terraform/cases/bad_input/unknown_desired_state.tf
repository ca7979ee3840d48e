# There is running and there is stopped.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  desired_state     = "paused" # error: paused & running & stopped
}
