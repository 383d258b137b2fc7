#include "tests/fuzz/message_fields.h"

#include <vector>

namespace facegate {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void VisitFields(Message& message, const FieldVisitor& visit) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    visit(message, *field);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      VisitFields(*reflection.MutableMessage(&message, field), visit);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      VisitFields(*reflection.MutableRepeatedMessage(&message, field, i), visit);
    }
  }
}

}  // namespace facegate
