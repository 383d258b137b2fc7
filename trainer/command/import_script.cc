#include "trainer/command/import_script.h"

#include <string>
#include <utility>

#include "face/onnx/graph_reader.h"
#include "trainer/torchscript/script_reader.h"

namespace facegate {

StatusOr<OnnxBackbone> TakeScriptBackbone(std::string_view bytes, bool allowed,
                                          const BackboneWish& wish) {
  constexpr network::Sides kUsualSides = {112, 112};
  if (!allowed) {
    return InvalidArgument(
        "is a TorchScript module, which holds code: --torchscript imports it where you trust those "
        "who made it; else save its state_dict() with torch.save");
  }
  FACEGATE_ASSIGN_OR_RETURN(ScriptReader* const reader, OpenScriptReader());
  FACEGATE_ASSIGN_OR_RETURN(
      ScriptNetwork script,
      reader->Read(std::string(bytes), wish.hints.input.value_or(kUsualSides)));
  FACEGATE_ASSIGN_OR_RETURN(OnnxWeights weights, WeightsOf(script.model));
  FACEGATE_ASSIGN_OR_RETURN(OnnxBackbone backbone,
                            TakeOnnxBackbone(std::move(weights), std::move(script.model), wish));
  FoundBackbone& found = backbone.found;
  if (found.network.name == kGraphNetwork) found.network.name = "network of a TorchScript module";
  FACEGATE_RETURN_IF_ERROR(reader->Compare(found.network, found.tensors, script.probe));
  found.remarks.emplace_back(
      "its embeddings of generated pictures agree with those of the TorchScript module");
  return backbone;
}

}  // namespace facegate
