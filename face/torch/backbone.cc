#include "face/torch/backbone.h"

#include "face/base/catch.h"
#include "face/network/architecture.h"
#include "face/torch/module_tree.h"
#include "face/torch/onednn_fit.h"

namespace facegate {

StatusOr<std::shared_ptr<Backbone>> CreateBackbone(const network::Description& description) {
  return CatchToStatus("creating the network", [&]() -> StatusOr<std::shared_ptr<Backbone>> {
    auto backbone = std::make_shared<Backbone>(description.input, FitsOneDnn(description));
    AppendLayers(description.layers, *backbone);
    return backbone;
  });
}

StatusOr<std::shared_ptr<Backbone>> CreateBackbone(std::string_view architecture, double dropout) {
  FACEGATE_ASSIGN_OR_RETURN(const network::Description description,
                            DescribeArchitecture(architecture, dropout));
  return CreateBackbone(description);
}

}  // namespace facegate
