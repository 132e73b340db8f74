"""One of torchvision's networks through PyTorch's own exporter.

    export_torch_model.py NAME FOLDER

writes FOLDER/model.onnx, image.npy (two pictures, [2,3,H,W]) and scores.npy, which PyTorch makes of them. Weights are
random, with statistics for batch norms that are none of the identity's. Ends with 77 where PyTorch is not installed.
"""
import os
import sys
import warnings

try:
    import numpy
    import torch
    import torchvision
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(77)


def network(name):
    make = getattr(torchvision.models, name)
    options = {"weights": None}
    if name in ("googlenet", "inception_v3"):
        options.update(aux_logits=False, init_weights=False)
    net = make(**options).eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.8, 1.2)
    return net


def main():
    name, folder = sys.argv[1:]
    warnings.simplefilter("ignore")
    torch.manual_seed(1)
    side = 299 if name == "inception_v3" else 224
    net = network(name)
    image = torch.rand(2, 3, side, side)
    with torch.no_grad():
        scores = net(image)
    numpy.save(os.path.join(folder, "image.npy"), image.numpy())
    numpy.save(os.path.join(folder, "scores.npy"), scores.numpy())
    axes = {"image": {0: "n"}, "scores": {0: "n"}}
    torch.onnx.export(net, image[:1], os.path.join(folder, "model.onnx"), input_names=["image"],
                      output_names=["scores"], dynamic_axes=axes)


main()
