# The id is host/name. What is imported is not removed when the resource is destroyed.
terraform import dynamo_model.copy gpu-b/meta-llama/Llama-3.1-8B-Instruct
