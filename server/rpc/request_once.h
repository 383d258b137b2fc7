#pragma once

#include <google/protobuf/message_lite.h>

#include <optional>
#include <string>
#include <utility>

#include "face/base/status.h"
#include "index/journal.h"

// Writes with a request_id: made once, answered alike each time (the contract is in
// protos/facegate/v1/gallery_service.proto).
namespace facegate {

// Nothing when `request_id` is empty. kInvalidField at request_id for what is no UUID; the other
// errors are those of Journal::BeginRequest(). `request` is all of the request.
StatusOr<std::optional<RequestTicket>> BeginOnce(Journal& journal, const std::string& request_id,
                                                 const google::protobuf::MessageLite& request);

// Runs `change`, a Status (const RequestTicket*), unless it was made already: then the answer of
// that time is the answer. `change` hands a Receipt with the ticket to the gallery.
template <typename Request, typename Response, typename Change>
Status Once(Journal& journal, const Request& request, Response* response, const Change& change) {
  FACEGATE_ASSIGN_OR_RETURN(const std::optional<RequestTicket> ticket,
                            BeginOnce(journal, request.request_id(), request));
  if (!ticket.has_value()) return change(nullptr);
  if (!ticket->answer.has_value()) return change(&*ticket);
  if (response->ParseFromString(*ticket->answer)) return OkStatus();
  return Internal("a kept answer is not a response of its method");
}

// The receipt of a change whose Result `fill` turns into the Response.
template <typename Result, typename Response, typename Fill>
Receipt<Result> ReceiptOf(const RequestTicket* ticket, Fill fill) {
  return {.ticket = ticket, .answer = [fill = std::move(fill)](const Result& result) {
            Response response;
            fill(result, &response);
            return response.SerializeAsString();
          }};
}

}  // namespace facegate
