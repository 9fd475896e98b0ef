SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  deepLinking: true,
  displayRequestDuration: true,
  // Else it asks a host on the internet whether the document is valid.
  validatorUrl: null,
});
