"""PCA, autoencoders and variational autoencoders on MNIST: models, training, evaluation, ONNX export, inference."""
