#include "face/torch/backbone.h"

#include <fmt/format.h>

#include "face/base/catch.h"
#include "face/torch/architecture.h"
#include "face/torch/iresnet.h"
#include "face/torch/irse.h"
#include "face/torch/mobilefacenet.h"

namespace facegate {
namespace {

// Null for an unknown name.
std::shared_ptr<Backbone> Make(std::string_view architecture, double dropout) {
  if (architecture == "mobilefacenet-128") return MakeMobileFaceNet128();
  if (architecture == "mobilefacenet-512") return MakeMobileFaceNet512();
  if (architecture == "iresnet-18") return MakeIResNet({2, 2, 2, 2}, dropout);
  if (architecture == "iresnet-34") return MakeIResNet({3, 4, 6, 3}, dropout);
  if (architecture == "iresnet-50") return MakeIResNet({3, 4, 14, 3}, dropout);
  if (architecture == "iresnet-100") return MakeIResNet({3, 13, 30, 3}, dropout);
  if (architecture == "iresnet-200") return MakeIResNet({6, 26, 60, 6}, dropout);
  if (architecture == "irse-50") return MakeIrSe({3, 4, 14, 3}, dropout);
  return nullptr;
}

}  // namespace

StatusOr<std::shared_ptr<Backbone>> CreateBackbone(std::string_view architecture, double dropout) {
  if (!(dropout >= 0.0 && dropout <= 1.0)) {
    return InvalidArgument(fmt::format("dropout is {}, expected 0 to 1", dropout));
  }
  FACEGATE_RETURN_IF_ERROR(EmbeddingSizeOf(architecture).status());
  return CatchToStatus("creating the network", [&]() -> StatusOr<std::shared_ptr<Backbone>> {
    auto backbone = Make(architecture, dropout);
    if (backbone == nullptr) {
      return Internal(fmt::format("architecture {} is listed but not built", architecture));
    }
    return backbone;
  });
}

}  // namespace facegate
