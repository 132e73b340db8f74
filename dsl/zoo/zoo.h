#pragma once
/// The networks that come along, in one list: zoo:NAME is looked up here, and `halcyon zoo` prints
/// it. A new network is a header beside this one and an entry below.

#include <string_view>

#include "dsl/zoo/alexnet.h"
#include "dsl/zoo/densenet.h"
#include "dsl/zoo/googlenet.h"
#include "dsl/zoo/inception.h"
#include "dsl/zoo/lenet5.h"
#include "dsl/zoo/mobilenet.h"
#include "dsl/zoo/nin.h"
#include "dsl/zoo/resnet.h"
#include "dsl/zoo/resnet_cifar.h"
#include "dsl/zoo/series.h"
#include "dsl/zoo/shufflenet.h"
#include "dsl/zoo/squeezenet.h"
#include "dsl/zoo/tiny_yolo.h"
#include "dsl/zoo/unet.h"
#include "dsl/zoo/vgg.h"
#include "dsl/zoo/voxnet.h"
#include "dsl/zoo/zfnet.h"

namespace halcyon::dsl::zoo {

struct Entry {
  std::string_view name;
  std::string_view summary;
  Image picture;  ///< what it takes unless told otherwise; all zeros where it takes no picture
  Network (*build)(const Image& picture);
};

// clang-format off
inline constexpr Entry kNetworks[] = {  // by name
    {"alexnet", "AlexNet with local response normalisation (Krizhevsky et al. 2012)", {227, 227, 3},
     [](const Image& p) { return alexnet(p); }},
    {"densenet121", "DenseNet-121 (Huang et al. 2016)", {224, 224, 3},
     [](const Image& p) { return densenet121(p); }},
    {"googlenet", "GoogLeNet with two auxiliary classifiers (Szegedy et al. 2014)", {224, 224, 3},
     [](const Image& p) { return googlenet(p); }},
    {"inception_v2", "Inception with batch normalisation (Ioffe and Szegedy 2015)", {224, 224, 3},
     [](const Image& p) { return inception_v2(p); }},
    {"inception_v3", "Inception v3 (Szegedy et al. 2015)", {299, 299, 3},
     [](const Image& p) { return inception_v3(p); }},
    {"lenet5", "LeNet-5 with ReLU and max pooling (LeCun et al. 1998)", {32, 32, 3},
     [](const Image& p) { return lenet5(p.height, p.width, p.channels); }},
    {"mobilenet_v1", "MobileNet, depthwise separable (Howard et al. 2017)", {224, 224, 3},
     [](const Image& p) { return mobilenet_v1(p); }},
    {"mobilenet_v2", "MobileNet v2, inverted residuals (Sandler et al. 2018)", {224, 224, 3},
     [](const Image& p) { return mobilenet_v2(p); }},
    {"nin", "Network in network (Lin et al. 2013)", {32, 32, 3},
     [](const Image& p) { return nin(p); }},
    {"resnet18", "ResNet-18 (He et al. 2015)", {224, 224, 3},
     [](const Image& p) { return resnet18(p); }},
    {"resnet18_v2", "ResNet-18 with activations in front (He et al. 2016)", {224, 224, 3},
     [](const Image& p) { return resnet18_v2(p); }},
    {"resnet20", "ResNet-20 for CIFAR-10, shortcuts without parameters (He et al. 2015)", {32, 32, 3},
     [](const Image& p) { return resnet20(p); }},
    {"resnet34", "ResNet-34 (He et al. 2015)", {224, 224, 3},
     [](const Image& p) { return resnet34(p); }},
    {"resnet34_v2", "ResNet-34 with activations in front (He et al. 2016)", {224, 224, 3},
     [](const Image& p) { return resnet34_v2(p); }},
    {"resnet50", "ResNet-50 (He et al. 2015)", {224, 224, 3},
     [](const Image& p) { return resnet50(p); }},
    {"resnet50_v2", "ResNet-50 with activations in front (He et al. 2016)", {224, 224, 3},
     [](const Image& p) { return resnet50_v2(p); }},
    {"resnet101", "ResNet-101 (He et al. 2015)", {224, 224, 3},
     [](const Image& p) { return resnet101(p); }},
    {"resnet101_v2", "ResNet-101 with activations in front (He et al. 2016)", {224, 224, 3},
     [](const Image& p) { return resnet101_v2(p); }},
    {"resnet152", "ResNet-152 (He et al. 2015)", {224, 224, 3},
     [](const Image& p) { return resnet152(p); }},
    {"resnet152_v2", "ResNet-152 with activations in front (He et al. 2016)", {224, 224, 3},
     [](const Image& p) { return resnet152_v2(p); }},
    {"series_fcn", "Fully convolutional classifier of time series (Wang et al. 2016)", {},
     [](const Image&) { return series_fcn(); }},
    {"shufflenet", "ShuffleNet v1 with three groups (Zhang et al. 2017)", {224, 224, 3},
     [](const Image& p) { return shufflenet(p); }},
    {"squeezenet1_0", "SqueezeNet 1.0 (Iandola et al. 2016)", {224, 224, 3},
     [](const Image& p) { return squeezenet1_0(p); }},
    {"squeezenet1_1", "SqueezeNet 1.1 (Iandola et al. 2016)", {224, 224, 3},
     [](const Image& p) { return squeezenet1_1(p); }},
    {"tiny_yolo_v2", "Tiny YOLO v2 for Pascal VOC (Redmon and Farhadi 2016)", {416, 416, 3},
     [](const Image& p) { return tiny_yolo_v2(p); }},
    {"unet", "U-Net (Ronneberger et al. 2015)", {572, 572, 1},
     [](const Image& p) { return unet(p); }},
    {"vgg16", "VGG, 16 layers (Simonyan and Zisserman 2014)", {224, 224, 3},
     [](const Image& p) { return vgg16(p); }},
    {"vgg19", "VGG, 19 layers (Simonyan and Zisserman 2014)", {224, 224, 3},
     [](const Image& p) { return vgg19(p); }},
    {"voxnet", "VoxNet, three spatial axes (Maturana and Scherer 2015)", {},
     [](const Image&) { return voxnet(); }},
    {"zfnet", "ZFNet (Zeiler and Fergus 2013)", {224, 224, 3},
     [](const Image& p) { return zfnet(p); }},
};
// clang-format on

}  // namespace halcyon::dsl::zoo
