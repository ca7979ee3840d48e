# A typing error in the engine is answered with the engines there are.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "vlm" # error: vlm & vllm & sglang & trtllm & mocker
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
}
