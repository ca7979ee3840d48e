import {
  to = dynamo_model.copy
  id = "gpu-b/meta-llama/Llama-3.1-8B-Instruct" # host/name
}
