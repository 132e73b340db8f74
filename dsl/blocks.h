#pragma once
/// The blocks that classic networks repeat. Each is a layer: `x | fire(16, 64)`.
///
/// A block's nodes carry the place of the line that asked for it, and where it is given a name,
/// names that begin with it: "3a.reduce3x3".

#include <algorithm>

#include "dsl/layers.h"
#include "dsl/norm_layers.h"
#include "dsl/pointwise_layers.h"

namespace halcyon::dsl {

/// What follows a convolution inside a block.
enum class Unit {
  relu,     ///< convolution with bias, relu
  bn_relu,  ///< convolution without bias, batch norm, relu
  bn,       ///< convolution without bias, batch norm
};

struct BlockOptions {
  Unit unit = Unit::relu;
  FixedString name = {};
};

namespace detail {

/// "3a" and "reduce" -> "3a.reduce"; nothing for a block without a name.
constexpr FixedString part_name(const FixedString& block, std::string_view part) {
  if (block.view().empty()) return {};
  FixedString name = block;
  name.append(".");
  name.append(part);
  return name;
}

/// A window of that extent along both axes, or as large as the map of x where that is smaller.
constexpr Spatial at_most_map(int64_t extent, Tensor x) {
  const Shape map = x.shape();
  return {std::min(extent, map.spatial(0)), std::min(extent, map.spatial(1))};
}

constexpr Tensor conv_unit(Tensor x, Unit unit, int64_t filters, const Spatial& kernel,
                           ConvOptions options, Place place) {
  if (unit == Unit::relu) {
    return x | conv(filters, kernel, std::move(options), place) | PlacedFunction(relu, place);
  }
  options.bias = false;
  const FixedString norm = part_name(options.name, "norm");
  x = x | conv(filters, kernel, std::move(options), place) | batch_norm({.name = norm}, place);
  return unit == Unit::bn ? x : x | PlacedFunction(relu, place);
}

}  // namespace detail

/// conv, relu. Shapes: as conv.
constexpr auto conv_relu(int64_t filters, Spatial kernel, const ConvOptions& options = {},
                         Place place = Place::here()) {
  return
      [=](Tensor x) { return detail::conv_unit(x, Unit::relu, filters, kernel, options, place); };
}

/// conv without bias, batch norm, relu. Shapes: as conv.
constexpr auto conv_bn_relu(int64_t filters, Spatial kernel, const ConvOptions& options = {},
                            Place place = Place::here()) {
  return [=](Tensor x) {
    return detail::conv_unit(x, Unit::bn_relu, filters, kernel, options, place);
  };
}

/// conv without bias, batch norm. Shapes: as conv.
constexpr auto conv_bn(int64_t filters, Spatial kernel, const ConvOptions& options = {},
                       Place place = Place::here()) {
  return [=](Tensor x) { return detail::conv_unit(x, Unit::bn, filters, kernel, options, place); };
}

/// Filters of the four branches of an inception module, named as in the paper's table.
struct InceptionFilters {
  int64_t conv1x1, reduce3x3, conv3x3, reduce5x5, conv5x5, pool_proj;
};

/// Shapes: x [N,C,H,W] -> [N,conv1x1+conv3x3+conv5x5+pool_proj,H,W]
/// Source: Szegedy et al. 2014, "Going deeper with convolutions", figure 2b.
constexpr auto inception(InceptionFilters filters, const BlockOptions& options = {},
                         Place place = Place::here()) {
  return [=](Tensor x) {
    const auto unit = [&](Tensor from, std::string_view part, int64_t count, int64_t kernel) {
      return detail::conv_unit(from, options.unit, count, kernel,
                               {.pad = kernel / 2, .name = detail::part_name(options.name, part)},
                               place);
    };
    const Tensor a = unit(x, "conv1x1", filters.conv1x1, 1);
    const Tensor b =
        unit(unit(x, "reduce3x3", filters.reduce3x3, 1), "conv3x3", filters.conv3x3, 3);
    const Tensor c =
        unit(unit(x, "reduce5x5", filters.reduce5x5, 1), "conv5x5", filters.conv5x5, 5);
    const Tensor pooled = x | max_pool(3, {.stride = 1, .pad = 1}, place);
    const Tensor d = unit(pooled, "pool_proj", filters.pool_proj, 1);
    return concat({a, b, c, d}, detail::part_name(options.name, "concat"), place);
  };
}

/// Squeeze to few channels, then expand with 1x1 and 3x3 side by side.
/// Shapes: x [N,C,H,W] -> [N,2*expand,H,W]
/// Source: Iandola et al. 2016, "SqueezeNet", figure 1.
constexpr auto fire(int64_t squeeze, int64_t expand, const BlockOptions& options = {},
                    Place place = Place::here()) {
  return [=](Tensor x) {
    const auto unit = [&](Tensor from, std::string_view part, int64_t count, int64_t kernel) {
      return detail::conv_unit(from, options.unit, count, kernel,
                               {.pad = kernel / 2, .name = detail::part_name(options.name, part)},
                               place);
    };
    const Tensor s = unit(x, "squeeze", squeeze, 1);
    return concat({unit(s, "expand1x1", expand, 1), unit(s, "expand3x3", expand, 3)},
                  detail::part_name(options.name, "concat"), place);
  };
}

/// Two 3x3 convolutions and the identity, or a 1x1 projection where the shape changes.
/// Shapes: x [N,C,H,W] -> [N,filters,H/stride,W/stride]
/// Source: He et al. 2015, "Deep residual learning for image recognition", figure 5 left.
constexpr auto residual(int64_t filters, int64_t stride = 1, Place place = Place::here()) {
  return [=](Tensor x) {
    const Tensor y = x | conv_bn_relu(filters, 3, {.stride = stride, .pad = 1}, place) |
                     conv_bn(filters, 3, {.pad = 1}, place);
    if (stride != 1 || x.channels() != filters) {
      x = x | conv_bn(filters, 1, {.stride = stride}, place);
    }
    return add(x, y, {}, place) | PlacedFunction(relu, place);
  };
}

/// 1x1 down to `width`, 3x3 (with the stride), 1x1 up to 4 * width.
/// Shapes: x [N,C,H,W] -> [N,4*width,H/stride,W/stride]
/// Source: as residual, figure 5 right; the stride in the 3x3 as in torchvision.
constexpr auto bottleneck(int64_t width, int64_t stride = 1, Place place = Place::here()) {
  return [=](Tensor x) {
    const Tensor y = x | conv_bn_relu(width, 1, {}, place) |
                     conv_bn_relu(width, 3, {.stride = stride, .pad = 1}, place) |
                     conv_bn(4 * width, 1, {}, place);
    if (stride != 1 || x.channels() != 4 * width) {
      x = x | conv_bn(4 * width, 1, {.stride = stride}, place);
    }
    return add(x, y, {}, place) | PlacedFunction(relu, place);
  };
}

/// Residual block with batch norm and relu in front of its convolutions, of two 3x3 (`width`
/// channels out) or, as bottleneck, 1x1, 3x3, 1x1 (4 * width out).
/// Source: He et al. 2016, "Identity mappings in deep residual networks", figure 4e.
constexpr auto preactivated(int64_t width, bool is_bottleneck, int64_t stride = 1,
                            Place place = Place::here()) {
  return [=](Tensor x) {
    const int64_t filters = is_bottleneck ? 4 * width : width;
    const Tensor active = x | batch_norm({}, place) | PlacedFunction(relu, place);
    if (stride != 1 || x.channels() != filters) {
      x = active | conv(filters, 1, {.stride = stride, .bias = false}, place);
    }
    Tensor y = active;
    if (is_bottleneck) {
      y = y | conv_bn_relu(width, 1, {}, place) |
          conv_bn_relu(width, 3, {.stride = stride, .pad = 1}, place) |
          conv(filters, 1, {.bias = false}, place);
    } else {
      y = y | conv_bn_relu(width, 3, {.stride = stride, .pad = 1}, place) |
          conv(filters, 3, {.pad = 1, .bias = false}, place);
    }
    return add(x, y, {}, place);
  };
}

/// `layers` times: batch norm, relu, 1x1 to 4*growth, batch norm, relu, 3x3 to growth, joined to
/// what came before. Shapes: x [N,C,H,W] -> [N,C+layers*growth,H,W]
/// Source: Huang et al. 2016, "Densely connected convolutional networks", DenseNet-B.
constexpr auto dense_block(int64_t layers, int64_t growth, Place place = Place::here()) {
  return [=](Tensor x) {
    for (int64_t layer = 0; layer < layers; ++layer) {
      const Tensor y = x | batch_norm({}, place) | PlacedFunction(relu, place) |
                       conv_bn_relu(4 * growth, 1, {}, place) |
                       conv(growth, 3, {.pad = 1, .bias = false}, place);
      x = concat({x, y}, {}, place);
    }
    return x;
  };
}

/// Between dense blocks: batch norm, relu, 1x1 to half the channels, 2x2 mean.
constexpr auto transition(Place place = Place::here()) {
  return [=](Tensor x) {
    return x | batch_norm({}, place) | PlacedFunction(relu, place) |
           conv(x.channels() / 2, 1, {.bias = false}, place) | average_pool(2, {}, place);
  };
}

/// Depthwise 3x3 and pointwise 1x1, batch norm and relu behind each.
/// Source: Howard et al. 2017, "MobileNets", figure 3 right.
constexpr auto depthwise_separable(int64_t filters, int64_t stride = 1,
                                   Place place = Place::here()) {
  return [=](Tensor x) {
    const int64_t channels = x.channels();
    return x | conv_bn_relu(channels, 3, {.stride = stride, .pad = 1, .groups = channels}, place) |
           conv_bn_relu(filters, 1, {}, place);
  };
}

/// 1x1 to expansion*C, depthwise 3x3, 1x1 to `filters` without activation; added to x where the
/// shapes agree. Source: Sandler et al. 2018, "MobileNetV2", table 1.
constexpr auto inverted_residual(int64_t filters, int64_t expansion, int64_t stride = 1,
                                 Place place = Place::here()) {
  return [=](Tensor x) {
    const int64_t hidden = x.channels() * expansion;
    Tensor y = x;
    if (expansion != 1) y = y | conv_bn(hidden, 1, {}, place) | PlacedFunction(relu6, place);
    y = y | conv_bn(hidden, 3, {.stride = stride, .pad = 1, .groups = hidden}, place) |
        PlacedFunction(relu6, place) | conv_bn(filters, 1, {}, place);
    return stride == 1 && x.channels() == filters ? add(x, y, {}, place) : y;
  };
}

/// A classifier in the middle of a network, which helps to train what is in front of it.
/// Shapes: x [N,C,H,W] -> scores [N,classes]; on maps below 5x5 the mean is that of the whole map.
/// Source: Szegedy et al. 2014, section 5: 5x5 mean, 1x1, two dense layers, dropout of 70 %.
constexpr auto auxiliary_head(int64_t classes, Place place = Place::here()) {
  return [=](Tensor x) {
    return x | average_pool(detail::at_most_map(5, x), {.stride = 3}, place) |
           conv_relu(128, 1, {}, place) | PlacedLayer<ops::Flatten>(flatten, place) |
           dense(1024, {}, place) | PlacedFunction(relu, place) | dropout(0.7f, {}, place) |
           dense(classes, {}, place);
  };
}

}  // namespace halcyon::dsl
