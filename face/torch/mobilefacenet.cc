#include "face/torch/mobilefacenet.h"

#include <array>
#include <string>
#include <utility>

namespace facegate {
namespace {

// The two originals have the same layers under other names.
struct Naming {
  std::string inner;  // the chain inside each block; empty where there is none
  std::string conv, norm, prelu;
  std::string expand, depthwise, project;
  std::string repeats;
  std::array<std::string, 8> trunk;
};

Naming Naming128() {
  return {.inner = "",
          .conv = "conv",
          .norm = "bn",
          .prelu = "prelu",
          .expand = "conv",
          .depthwise = "conv_dw",
          .project = "project",
          .repeats = "model",
          .trunk = {"conv1", "conv2_dw", "conv_23", "conv_3", "conv_34", "conv_4", "conv_45",
                    "conv_5"}};
}

Naming Naming512() {
  return {.inner = "layers",
          .conv = "0",
          .norm = "1",
          .prelu = "2",
          .expand = "0",
          .depthwise = "1",
          .project = "2",
          .repeats = "layers",
          .trunk = {"0", "1", "2", "3", "4", "5", "6", "7"}};
}

// Returns where the layers of `outer` go: a chain of that name, or `outer` itself.
Chain& Inner(Chain& outer, const std::string& name) {
  if (name.empty()) return outer;
  auto inner = std::make_shared<Chain>();
  outer.Append(name, inner);
  return *inner;
}

std::shared_ptr<Layer> Block(const Naming& naming, const ConvShape& shape, bool activate = true) {
  auto outer = std::make_shared<Chain>();
  Chain& inner = Inner(*outer, naming.inner);
  inner.Append(naming.conv, std::make_shared<Conv2d>(shape));
  inner.Append(naming.norm, std::make_shared<BatchNorm>(shape.out));
  if (activate) inner.Append(naming.prelu, std::make_shared<PRelu>(shape.out));
  return outer;
}

struct UnitShape {
  int64_t in = 0;  // channels
  int64_t out = 0;
  int64_t expansion = 0;  // channels in between
  int64_t stride = 1;     // 1: the input is added to the output
};

// An inverted residual: 1×1 expansion, 3×3 depthwise, 1×1 projection without activation.
std::shared_ptr<Layer> Unit(const Naming& naming, const UnitShape& shape) {
  const int64_t mid = shape.expansion;
  auto outer = shape.stride == 1 ? std::make_shared<Residual>() : std::make_shared<Chain>();
  Chain& inner = Inner(*outer, naming.inner);
  inner.Append(naming.expand, Block(naming, {.in = shape.in, .out = mid}));
  inner.Append(naming.depthwise, Block(naming, {.in = mid,
                                                .out = mid,
                                                .kernel = 3,
                                                .stride = shape.stride,
                                                .padding = 1,
                                                .groups = mid}));
  inner.Append(naming.project, Block(naming, {.in = mid, .out = shape.out}, false));
  return outer;
}

std::shared_ptr<Layer> Repeat(const Naming& naming, int count, int64_t width, int64_t expansion) {
  auto units = std::make_shared<Chain>();
  for (int i = 0; i < count; ++i) {
    units->Append(Unit(naming, {.in = width, .out = width, .expansion = expansion}));
  }
  auto outer = std::make_shared<Chain>();
  outer->Append(naming.repeats, units);
  return outer;
}

// Leads from 112×112×3 to 7×7×(2·width). Marks the maps before a halving and at the end; in
// mobilefacenet-512, which holds its trunk as one layer, these marks are without effect, and the
// trunk itself is marked.
void AppendTrunk(Chain& net, const Naming& naming, int64_t width) {
  const auto& names = naming.trunk;
  const int64_t wide = 2 * width;
  net.Append(names[0],
             Block(naming, {.in = 3, .out = width, .kernel = 3, .stride = 2, .padding = 1}));
  net.Append(names[1],
             Block(naming, {.in = width, .out = width, .kernel = 3, .padding = 1, .groups = 64}));
  net.Append(names[2], Unit(naming, {.in = width, .out = width, .expansion = 128, .stride = 2}));
  net.Append(names[3], Repeat(naming, 4, width, 128)).MarkMap();
  net.Append(names[4], Unit(naming, {.in = width, .out = wide, .expansion = 256, .stride = 2}));
  net.Append(names[5], Repeat(naming, 6, wide, 256)).MarkMap();
  net.Append(names[6], Unit(naming, {.in = wide, .out = wide, .expansion = 512, .stride = 2}));
  net.Append(names[7], Repeat(naming, 2, wide, 256)).MarkMap();
}

// A kernel as large as the picture that is left: each channel becomes one number.
constexpr ConvShape kGlobalDepthwise{.in = 512, .out = 512, .kernel = 7, .groups = 512};

}  // namespace

std::shared_ptr<Backbone> MakeMobileFaceNet128() {
  auto net = std::make_shared<Backbone>();
  AppendTrunk(*net, Naming128(), 64);
  net->Append("sep", std::make_shared<Conv2d>(ConvShape{.in = 128, .out = 512}));
  net->Append("sep_bn", std::make_shared<BatchNorm>(512));
  net->Append("prelu", std::make_shared<PRelu>(512)).MarkMap();
  net->Append("GDC_dw", std::make_shared<Conv2d>(kGlobalDepthwise));
  net->Append("GDC_bn", std::make_shared<BatchNorm>(512));
  net->Append("features", std::make_shared<Conv2d>(ConvShape{.in = 512, .out = 128}));
  net->Append("last_bn", std::make_shared<BatchNorm>(128));
  net->Append("flatten", std::make_shared<Flatten>());
  return net;
}

std::shared_ptr<Backbone> MakeMobileFaceNet512() {
  const Naming naming = Naming512();
  auto trunk = std::make_shared<Chain>();
  AppendTrunk(*trunk, naming, 128);
  auto head = std::make_shared<Chain>();
  head->Append(Block(naming, kGlobalDepthwise, false));
  head->Append(std::make_shared<Flatten>());
  head->Append(std::make_shared<Linear>(512, 512, false));
  head->Append(std::make_shared<BatchNorm>(512));
  auto features = std::make_shared<Chain>();
  features->Append("layers", head);

  auto net = std::make_shared<Backbone>();
  net->Append("layers", trunk).MarkMap();
  net->Append("conv_sep", Block(naming, {.in = 256, .out = 512})).MarkMap();
  net->Append("features", features);
  return net;
}

}  // namespace facegate
