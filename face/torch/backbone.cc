#include "face/torch/backbone.h"

#include "face/base/catch.h"
#include "face/network/architecture.h"
#include "face/torch/module_tree.h"

namespace facegate {

StatusOr<std::shared_ptr<Backbone>> CreateBackbone(std::string_view architecture, double dropout) {
  FACEGATE_ASSIGN_OR_RETURN(const network::Description description,
                            DescribeArchitecture(architecture, dropout));
  return CatchToStatus("creating the network", [&]() -> StatusOr<std::shared_ptr<Backbone>> {
    auto backbone = std::make_shared<Backbone>();
    AppendLayers(description.layers, *backbone);
    return backbone;
  });
}

}  // namespace facegate
