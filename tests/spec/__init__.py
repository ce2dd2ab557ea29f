"""
The documentation of `twisted.internet.endpoints`, sentence by sentence: what it says is a test.

Where each part of it is, in its order:

======================================================================  ====================================
what the endpoints implement and wrap; the mini-language                test_module
the table: which names there are, and the parameters of functions       test_names
  - endpoints for TCP, SSL, UNIX, adopted sockets, names                test_endpoints
  - StandardIOEndpoint                                                  test_stdio
  - ProcessEndpoint, StandardErrorBehavior, _ProcessEndpointTransport,
    _WrapIProtocol, _IProcessTransportWithConsumerAndProducer           test_process
  - _WrappingProtocol, _WrappingFactory, _TCPServerEndpoint,
    _WrapperEndpoint, _WrapperServerEndpoint                            test_wrapping
  - the parsers of strings that are classes                             test_parsers
_parseTCP, _parseUNIX                                                   test_internals
_parseSSL                                                               test_internalsTLS
_tokenize, _parse, _parseServer, _serverFromStringLegacy,
_matchPluginToPrefix (in the table only)                                test_internals
serverFromString                                                        test_serverFromString
quoteStringArgument                                                     test_quoteStringArgument
_parseClientTCP                                                         test_internals
_loadCAsFromDir, _parseTrustRootPath, _privateCertFromPaths (in the
table only), _parseClientSSLOptions, _parseClientSSL                    test_internalsTLS
_parseClientUNIX                                                        test_internals
clientFromString                                                        test_clientFromString
connectProtocol, wrapClientTLS                                          test_wrapping
_parseClientTLS                                                         test_internalsTLS
======================================================================  ====================================

Within a file the tests come in the order of the sentences.  Left out is only what can't be tested: since
which version of Twisted there is a name.  Two sentences about ``ssl:`` have been overtaken by OpenSSL, for
Twisted 26.10 as for us: it has no SSLv2 and SSLv3 any more, and does DHE without a file of parameters.  What
is true today is the test.
"""
